#include "rules/conditions/judge.hpp"

#include <algorithm>
#include <cmath>

#include "rules/conditions/decide.hpp"

namespace rules {

namespace {

// Numbers that came of computing: infinite and undefined ones are unknown.
void refuse_not_finite(Measured& measured) {
  if (!measured.value || std::isfinite(*measured.value)) return;
  measured.value.reset();
  measured.cause = Cause::nan;
  measured.detail = "the result is not a finite number";
}

// A missing baseline outweighs what else is unknown: the comparison is to be left out, not waited for.
const Measured& worse_of(const Measured& left, const Measured& right) {
  if (left.value) return right;
  if (right.value) return left;
  return right.cause == Cause::no_baseline ? right : left;
}

Measured combine(ArithmeticOp op, const Measured& left, const Measured& right) {
  Measured out = left.count > 0 ? left : right;
  out.value.reset();
  out.approximate = left.approximate || right.approximate;
  out.window = std::max(left.window, right.window);
  out.valid_until = std::min(left.valid_until, right.valid_until);
  out.newest = std::max(left.newest, right.newest);
  if (!left.value || !right.value) {
    out.cause = worse_of(left, right).cause;
    out.detail = worse_of(left, right).detail;
    return out;
  }
  out.value = compute(op, *left.value, *right.value);
  refuse_not_finite(out);
  return out;
}

class Evaluation {
 public:
  Evaluation(const Store& store, const Scope& scope, Instant at, Part part)
      : store_(store), scope_(scope), at_(at), part_(part) {}

  Estimate of(const Expression& expression) const { return std::visit(Visitor{*this, expression}, expression.node); }

 private:
  struct Visitor {
    const Evaluation& self;
    const Expression& expression;

    Estimate operator()(const Literal& literal) const {
      Measured out;
      out.value = literal.value;
      return plain(std::move(out));
    }
    Estimate operator()(const SignalRef& signal) const {
      return self.store_.estimate(signal.signal, self.scope_, self.at_, self.part_);
    }
    Estimate operator()(const FieldRef& field) const { return plain(self.store_.field(field, self.scope_, self.at_)); }
    Estimate operator()(const BaselineRef& baseline) const {
      return plain(self.frozen(self.scope_.baselines, *baseline.of, Cause::no_baseline,
                               "too little was seen of the last good revision"));
    }
    Estimate operator()(const BeforeRef& before) const {
      // With no incident open there is nothing to compare with; with one, what it lacks is left out as a baseline is.
      const Cause lacking = self.scope_.before == nullptr ? Cause::no_data : Cause::no_baseline;
      return plain(self.frozen(self.scope_.before, *before.of, lacking,
                               "it could not be measured in the hour before the incident opened"));
    }
    Estimate operator()(const RestartsRef& restarts) const {
      return plain(self.store_.restarts(restarts, self.scope_, self.at_));
    }
    Estimate operator()(const OverTimeRef& over_time) const {
      return plain(self.store_.over_time(over_time, self.scope_, self.at_, self.part_));
    }
    Estimate operator()(const Arithmetic& arithmetic) const {
      return plain(combine(arithmetic.op, self.number(*arithmetic.left), self.number(*arithmetic.right)));
    }
    Estimate operator()(const Negation& negation) const {
      Measured out = self.number(*negation.of);
      if (out.value) *out.value = -*out.value;
      return plain(std::move(out));
    }
    static Estimate plain(Measured measured) { return {std::move(measured)}; }
  };

  Measured number(const Expression& expression) const { return of(expression).number(); }

  Measured frozen(const FrozenValues* values, const Expression& of, Cause cause, std::string_view why) const {
    if (scope_.blanket) return unknown(*scope_.blanket, "");
    const auto found = values == nullptr ? FrozenValues::const_iterator{} : values->find(frozen_key(of));
    if (values == nullptr || found == values->end()) return unknown(cause, frozen_key(of) + ": " + std::string(why));
    Measured out;
    out.value = found->second;
    refuse_not_finite(out);
    return out;
  }

  const Store& store_;
  const Scope& scope_;
  Instant at_;
  Part part_;
};

Comparison with_verdict(Comparison&& out, Verdict verdict) {
  out.verdict = verdict;
  return std::move(out);
}

Comparison unknown_because(Comparison&& out, Cause cause, std::string detail) {
  out.value.cause = cause;
  if (!detail.empty()) out.value.detail = std::move(detail);
  return std::move(out);
}

Verdict verdict_of(bool is_bad) { return is_bad ? Verdict::bad : Verdict::good; }

Comparison compare_quantile(Comparison out, CompareOp op, const Histogram& histogram, double threshold) {
  switch (decide(histogram, op, threshold)) {
    case QuantileDecision::yes:
      out.value.approximate = false;
      return with_verdict(std::move(out), Verdict::bad);
    case QuantileDecision::no:
      out.value.approximate = false;
      return with_verdict(std::move(out), Verdict::good);
    case QuantileDecision::approximate:
      break;
    case QuantileDecision::undecidable:
      return unknown_because(std::move(out), Cause::undecidable_bucket,
                             "the threshold is above the highest finite bucket bound, and so is the quantile");
  }
  if (histogram.strict || !out.value.value) {
    return unknown_because(std::move(out), Cause::undecidable_bucket,
                           "the threshold lies inside the quantile's bucket; a bound at the threshold would decide");
  }
  const Verdict verdict = verdict_of(holds(op, *out.value.value, threshold));
  return with_verdict(std::move(out), verdict);
}

// Of a quantile that is only known to lie between two values: what holds for both, on the evidence of the one that is
// nearer to the threshold.
Comparison compare_between(Comparison out, CompareOp op, const Between& between, double threshold) {
  const bool holds_for_least = holds(op, between.at_least, threshold);
  const bool exactly = op == CompareOp::equal || op == CompareOp::not_equal;
  if (exactly || holds_for_least != holds(op, between.at_most, threshold)) {
    const Cause cause = out.value.value ? Cause::undecidable_bucket : out.value.cause;
    return unknown_because(std::move(out), cause, "");
  }
  out.value.value = between.at_least > threshold ? between.at_least : between.at_most;
  return with_verdict(std::move(out), verdict_of(holds_for_least));
}

// Of too few requests no share is told, but what is sure all the same has to show on what it rests.
Comparison compare_few(Comparison out, CompareOp op, const Measured& measured, double threshold) {
  const Verdict verdict = decide_few(op, measured.errors, measured.count, threshold);
  if (verdict != Verdict::unknown) out.value.value = measured.errors / measured.count;
  return with_verdict(std::move(out), verdict);
}

// By what an estimate tells besides its number; none when there is nothing besides.
std::optional<Comparison> compare_closely(const Comparison& out, CompareOp op, const Estimate& estimate,
                                          double threshold) {
  if (estimate.few) return compare_few(out, op, estimate.measured, threshold);
  if (estimate.histogram) return compare_quantile(out, op, *estimate.histogram, threshold);
  if (estimate.between) return compare_between(out, op, *estimate.between, threshold);
  return std::nullopt;
}

Comparison compare(const Compare& node, const Evaluation& evaluation) {
  // What is measured stands on the left of the evidence, however it was written.
  const bool mirror = std::holds_alternative<Literal>(node.left->node);
  const CompareOp op = mirror ? mirrored(node.op) : node.op;
  const Estimate left = evaluation.of(mirror ? *node.right : *node.left);
  const Estimate right = evaluation.of(mirror ? *node.left : *node.right);
  Comparison out;
  out.text = node.text;
  out.unit = node.unit;
  out.value = left.measured;
  out.threshold = right.measured.value;
  out.value.valid_until = std::min(left.measured.valid_until, right.measured.valid_until);
  const Measured& missing = worse_of(left.measured, right.measured);
  out.left_out = !missing.value && missing.cause == Cause::no_baseline;
  if (out.left_out) return unknown_because(std::move(out), missing.cause, missing.detail);

  if (left.between && right.between) {
    return unknown_because(std::move(out), Cause::undecidable_bucket, right.measured.detail);
  }
  if (out.threshold && left.tells_more()) {
    if (auto made = compare_closely(out, op, left, *out.threshold)) return *std::move(made);
  }
  if (left.measured.value && right.tells_more()) {
    Comparison swapped = out;
    swapped.value = right.measured;
    if (const auto made = compare_closely(swapped, mirrored(op), right, *left.measured.value)) {
      if (made->verdict != Verdict::unknown) return with_verdict(std::move(out), made->verdict);
      return unknown_because(std::move(out), made->value.cause, made->value.detail);
    }
  }
  if (!missing.value) return unknown_because(std::move(out), missing.cause, missing.detail);
  return with_verdict(std::move(out), verdict_of(holds(op, *left.measured.value, *right.measured.value)));
}

// A statement's verdict, which comparison decided it, and whether nothing of it is left.
struct Term {
  Verdict verdict = Verdict::unknown;
  std::size_t decisive = 0;
  bool left_out = false;
};

class Walk {
 public:
  Walk(const Evaluation& evaluation, std::vector<Comparison>& comparisons)
      : evaluation_(evaluation), comparisons_(comparisons) {}

  Term of(const ConditionNode& node) { return std::visit(Visitor{*this}, node.node); }

 private:
  struct Visitor {
    Walk& walk;
    Term operator()(const Compare& node) const {
      walk.comparisons_.push_back(compare(node, walk.evaluation_));
      const Comparison& made = walk.comparisons_.back();
      return {made.verdict, walk.comparisons_.size() - 1, made.left_out};
    }
    Term operator()(const And& node) const { return walk.combine(node.terms, Verdict::good); }
    Term operator()(const Or& node) const { return walk.combine(node.terms, Verdict::bad); }
    Term operator()(const Not& node) const {
      Term term = walk.of(*node.of);
      switch (term.verdict) {
        case Verdict::good:
          term.verdict = Verdict::bad;
          break;
        case Verdict::bad:
          term.verdict = Verdict::good;
          break;
        case Verdict::unknown:
          break;
      }
      return term;
    }
  };

  // One term with the deciding verdict decides; otherwise one that is unknown makes the whole unknown.
  Term combine(const std::vector<ConditionPtr>& nodes, Verdict deciding) {
    std::vector<Term> terms;
    for (const ConditionPtr& node : nodes) terms.push_back(of(*node));
    const Term first = terms.front();
    std::erase_if(terms, [](const Term& term) { return term.left_out; });
    if (terms.empty()) return first;
    for (const Verdict wanted : {deciding, Verdict::unknown}) {
      const auto found =
          std::find_if(terms.begin(), terms.end(), [wanted](const Term& term) { return term.verdict == wanted; });
      if (found != terms.end()) return *found;
    }
    return terms.front();
  }

  const Evaluation& evaluation_;
  std::vector<Comparison>& comparisons_;
};

}  // namespace

Judgement judge(const Store& store, const Condition& condition, const Scope& scope, Instant at, Part part) {
  Judgement out;
  if (condition.empty()) {
    out.cause = Cause::config_error;
    out.detail = "there is no condition";
    return out;
  }
  const Evaluation evaluation(store, scope, at, part);
  const Term term = Walk(evaluation, out.comparisons).of(condition.root());
  out.verdict = term.verdict;
  out.decisive = term.decisive;
  for (const Comparison& comparison : out.comparisons) {
    out.valid_until = std::min(out.valid_until, comparison.value.valid_until);
  }
  if (out.verdict == Verdict::unknown) {
    out.cause = out.comparisons[out.decisive].value.cause;
    out.detail = out.comparisons[out.decisive].value.detail;
  }
  return out;
}

}  // namespace rules
