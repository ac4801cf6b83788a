#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace rules {

// How two numbers are computed with, in conditions and in the expressions of signals alike.
enum class ArithmeticOp { add, subtract, multiply, divide };

// As IEEE 754 has it: what comes of a division by 0 is not finite, and it is for the caller to say what that means.
constexpr double compute(ArithmeticOp op, double left, double right) {
  switch (op) {
    case ArithmeticOp::add:
      return left + right;
    case ArithmeticOp::subtract:
      return left - right;
    case ArithmeticOp::multiply:
      return left * right;
    case ArithmeticOp::divide:
      return left / right;
  }
  return 0;
}

// The signs of one level of binding, and what they mean. Products bind closer than sums; both go from left to right.
using ArithmeticSigns = std::array<std::pair<std::string_view, ArithmeticOp>, 2>;
inline constexpr ArithmeticSigns sum_signs{{{"+", ArithmeticOp::add}, {"-", ArithmeticOp::subtract}}};
inline constexpr ArithmeticSigns product_signs{{{"*", ArithmeticOp::multiply}, {"/", ArithmeticOp::divide}}};

}  // namespace rules
