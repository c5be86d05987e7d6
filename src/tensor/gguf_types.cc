#include "tensor/gguf_types.h"

#include <array>
#include <utility>

namespace jikji {
namespace {

constexpr std::array kGgmlTypes = {
    GgmlType{0, "F32", DType::kF32},       GgmlType{1, "F16", DType::kF16},
    GgmlType{2, "Q4_0", DType::kQ4_0},     GgmlType{3, "Q4_1", std::nullopt},
    GgmlType{6, "Q5_0", std::nullopt},     GgmlType{7, "Q5_1", std::nullopt},
    GgmlType{8, "Q8_0", DType::kQ8_0},     GgmlType{9, "Q8_1", std::nullopt},
    GgmlType{10, "Q2_K", std::nullopt},    GgmlType{11, "Q3_K", std::nullopt},
    GgmlType{12, "Q4_K", DType::kQ4_K},    GgmlType{13, "Q5_K", DType::kQ5_K},
    GgmlType{14, "Q6_K", DType::kQ6_K},    GgmlType{15, "Q8_K", std::nullopt},
    GgmlType{16, "IQ2_XXS", std::nullopt}, GgmlType{17, "IQ2_XS", std::nullopt},
    GgmlType{18, "IQ3_XXS", std::nullopt}, GgmlType{19, "IQ1_S", std::nullopt},
    GgmlType{20, "IQ4_NL", std::nullopt},  GgmlType{21, "IQ3_S", std::nullopt},
    GgmlType{22, "IQ2_S", std::nullopt},   GgmlType{23, "IQ4_XS", std::nullopt},
    GgmlType{24, "I8", std::nullopt},      GgmlType{25, "I16", std::nullopt},
    GgmlType{26, "I32", std::nullopt},     GgmlType{27, "I64", std::nullopt},
    GgmlType{28, "F64", std::nullopt},     GgmlType{29, "IQ1_M", std::nullopt},
    GgmlType{30, "BF16", DType::kBF16},    GgmlType{34, "TQ1_0", std::nullopt},
    GgmlType{35, "TQ2_0", std::nullopt},   GgmlType{39, "MXFP4", std::nullopt},
    GgmlType{40, "NVFP4", std::nullopt},   GgmlType{41, "Q1_0", std::nullopt},
    GgmlType{42, "Q2_0", std::nullopt},
};

}  // namespace

uint64_t GgufTypeBytes(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool:
      return 1;
    case GgufType::kUint16:
    case GgufType::kInt16:
      return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32:
      return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64:
    case GgufType::kString:
      return 8;
    case GgufType::kArray:
      return 12;
  }
  return 1;
}

std::optional<GgmlType> FindGgmlType(uint32_t number) {
  for (const GgmlType& type : kGgmlTypes) {
    if (type.number == number) return type;
  }
  return std::nullopt;
}

uint32_t GgmlTypeNumber(DType dtype) {
  for (const GgmlType& type : kGgmlTypes) {
    if (type.dtype == dtype) return type.number;
  }
  std::unreachable();
}

}  // namespace jikji
