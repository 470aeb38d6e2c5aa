// SPDX-License-Identifier: Apache-2.0
#include "device/declared_type.hpp"

#include <optional>

namespace mote {

namespace {

constexpr const char* wrap = "call it in a function that takes numbers and arrays of numbers";

std::optional<Scalar> integer_kind(CXType type) {
  const int64_t bytes = clang_Type_getSizeOf(type);
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return std::nullopt;  // incomplete
  switch (type.kind) {
    case CXType_Char_S:
    case CXType_SChar:
    case CXType_Short:
    case CXType_Int:
    case CXType_Long:
    case CXType_LongLong: return integer(bytes, true);
    case CXType_Char_U:
    case CXType_UChar:
    case CXType_Char16:
    case CXType_Char32:
    case CXType_UShort:
    case CXType_UInt:
    case CXType_ULong:
    case CXType_ULongLong: return integer(bytes, false);
    default: return std::nullopt;
  }
}

std::optional<Scalar> scalar_kind(CXType type) {
  switch (type.kind) {
    case CXType_Bool: return Scalar::boolean;
    case CXType_Float: return Scalar::float32;
    case CXType_Double: return Scalar::float64;
    case CXType_LongDouble:  // on some machines another name of double
      return clang_Type_getSizeOf(type) == 8 ? std::optional(Scalar::float64) : std::nullopt;
    case CXType_Enum:
      return scalar_kind(clang_getCanonicalType(clang_getEnumDeclIntegerType(clang_getTypeDeclaration(type))));
    default: return integer_kind(type);
  }
}

// Why a type that is no scalar, and no array or pointer, is refused.
std::string refusal(CXType type) {
  switch (type.kind) {
    case CXType_Record: return std::string("a struct, class or union; ") + wrap;
    case CXType_LValueReference:
    case CXType_RValueReference: return "a reference; take a pointer, or " + std::string(wrap);
    case CXType_FunctionProto:
    case CXType_FunctionNoProto:
      return std::string("a pointer to a function, which the host does not have; ") + wrap;
    case CXType_MemberPointer: return std::string("a pointer to a member; ") + wrap;
    case CXType_Void: return "a pointer to nothing known; take a pointer to uint8_t for bytes";
    case CXType_Int128:
    case CXType_UInt128: return "wider than 64 bits; take two uint64_t";
    case CXType_LongDouble:
    case CXType_Float128: return "a floating-point type that the host does not have; take double";
    case CXType_Half:
    case CXType_Float16:
    case CXType_BFloat16:
      return "a floating-point type that the host does not have; take float, or its bits as uint16_t";
    case CXType_WChar: return "a wchar_t; take int32_t";
    case CXType_Complex: return std::string("complex; ") + wrap;
    case CXType_Vector:
    case CXType_ExtVector: return std::string("a vector; take a pointer to its elements, or ") + wrap;
    case CXType_Atomic: return std::string("atomic; ") + wrap;
    default: return std::string("no number of 8, 16, 32 or 64 bits; ") + wrap;
  }
}

bool is_sized_array(CXType type) { return type.kind == CXType_ConstantArray; }

bool is_array_type(CXType type) {
  return type.kind == CXType_ConstantArray || type.kind == CXType_IncompleteArray ||
         type.kind == CXType_VariableArray || type.kind == CXType_DependentSizedArray;
}

CXType element_of(CXType array) { return clang_getCanonicalType(clang_getArrayElementType(array)); }

// What an array or a pointer points to. clang has the qualifiers of an array's elements at the array itself.
DeclaredType classify_elements(CXType element, int64_t outer, bool read_only) {
  DeclaredType result;
  result.is_array = true;
  result.read_only = read_only || clang_isConstQualifiedType(element) != 0;
  while (is_array_type(element)) {
    if (is_sized_array(element)) result.row *= clang_getArraySize(element);
    element = element_of(element);
  }
  result.declared = outer * result.row;
  if (const std::optional<Scalar> scalar = scalar_kind(element)) {
    result.element = *scalar;
  } else if (element.kind == CXType_Pointer || element.kind == CXType_BlockPointer) {
    result.refused = std::string("a pointer to pointers; ") + wrap;
  } else if (element.kind == CXType_Record) {
    result.refused = std::string("a pointer to a struct, class or union; ") + wrap;
  } else {
    result.refused = refusal(element);
  }
  if (result.refused.empty() && result.row <= 0)
    result.refused = std::string("an array without elements; ") + wrap;
  return result;
}

}  // namespace

DeclaredType classify(CXType written) {
  const CXType type = clang_getCanonicalType(written);
  if (type.kind == CXType_Pointer)
    return classify_elements(clang_getCanonicalType(clang_getPointeeType(type)), 0, false);
  if (is_array_type(type)) {
    return classify_elements(element_of(type), is_sized_array(type) ? clang_getArraySize(type) : 0,
                             clang_isConstQualifiedType(type) != 0);
  }
  DeclaredType result;
  if (const std::optional<Scalar> scalar = scalar_kind(type)) {
    result.element = *scalar;
  } else {
    result.refused = refusal(type);
  }
  return result;
}

}  // namespace mote
