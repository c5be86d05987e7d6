// Room for f32 values, aligned to a line of the cache; what was in it is lost when it grows.
#ifndef JIKJI_KERNELS_FLOAT_BUFFER_H_
#define JIKJI_KERNELS_FLOAT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace jikji::kernels {

class FloatBuffer {
 public:
  // At least `count` values, of no particular value.
  float* Fit(int64_t count) {
    if (count > count_) {
      data_.reset();
      data_.reset(static_cast<float*>(
          ::operator new (static_cast<size_t>(count) * sizeof(float), std::align_val_t{kAlign})));
      count_ = count;
    }
    return data_.get();
  }
  const float* data() const { return data_.get(); }

 private:
  static constexpr size_t kAlign = 64;
  struct Free {
    void operator()(float* data) const { ::operator delete (data, std::align_val_t{kAlign}); }
  };
  std::unique_ptr<float, Free> data_;
  int64_t count_ = 0;
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_FLOAT_BUFFER_H_
