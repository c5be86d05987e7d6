// A library that is opened at run time, if it is there: drivers, which a program must run without.
#ifndef JIKJI_BASE_SHARED_LIBRARY_H_
#define JIKJI_BASE_SHARED_LIBRARY_H_

#include <dlfcn.h>

#include <memory>
#include <string>

#include "base/error.h"

namespace jikji {

// Closed with this object: functions found must not be called after it.
class SharedLibrary {
 public:
  SharedLibrary() = default;

  // kNotFound, with what the system's loader says.
  static Result<SharedLibrary> Open(const std::string& path) {
    SharedLibrary library;
    library.handle_.reset(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (library.handle_ != nullptr) return library;
    const char* const why = dlerror();
    return Fail(ErrorCode::kNotFound, why == nullptr ? "it cannot be opened" : why, path);
  }

  // nullptr where it has no such function.
  template <class Function>
  Function Find(const char* symbol) const {
    return reinterpret_cast<Function>(dlsym(handle_.get(), symbol));
  }

 private:
  struct Close {
    void operator()(void* handle) const { dlclose(handle); }
  };
  std::unique_ptr<void, Close> handle_;
};

}  // namespace jikji

#endif  // JIKJI_BASE_SHARED_LIBRARY_H_
