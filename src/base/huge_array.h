// A large table of zeros that is looked up in random places: untouched parts cost no memory, and
// the pages are huge where the system has them, since a look-up in small ones waits for an address
// translation as long as for its data.
//
// Non-goals: growth; types whose zero bytes are not a value.
#ifndef JIKJI_BASE_HUGE_ARRAY_H_
#define JIKJI_BASE_HUGE_ARRAY_H_

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace jikji {

template <class T>
class HugeArray {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 4096);

 public:
  // Like std::vector it throws std::bad_alloc where there is no memory.
  explicit HugeArray(size_t count) : data_(Map(count), Unmap{count * sizeof(T)}), count_(count) {}

  size_t size() const { return count_; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T* begin() { return data(); }
  T* end() { return data() + count_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + count_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }

 private:
  struct Unmap {
    size_t bytes;
    void operator()(T* data) const { munmap(data, bytes); }
  };

  static T* Map(size_t count) {
    if (count == 0) return nullptr;
    void* memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    (void)madvise(memory, count * sizeof(T), MADV_HUGEPAGE);  // advice: small pages do as well
    return static_cast<T*>(memory);
  }

  std::unique_ptr<T, Unmap> data_;
  size_t count_;
};

}  // namespace jikji

#endif  // JIKJI_BASE_HUGE_ARRAY_H_
