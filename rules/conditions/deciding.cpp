#include "rules/conditions/deciding.hpp"

#include <algorithm>

namespace rules {

namespace {

struct Term {
  Verdict verdict = Verdict::unknown;
  bool left_out = false;
  std::vector<std::size_t> decided_by{};
};

Verdict opposite(Verdict verdict) {
  if (verdict == Verdict::unknown) return verdict;
  return verdict == Verdict::bad ? Verdict::good : Verdict::bad;
}

// All that speak with the deciding verdict decide; without one, and where none is unknown, all together.
Term combined(std::vector<Term> terms, Verdict deciding) {
  std::erase_if(terms, [](const Term& one) { return one.left_out; });
  if (terms.empty()) return {Verdict::unknown, true, {}};
  const auto has = [&](Verdict verdict) {
    return std::any_of(terms.begin(), terms.end(), [&](const Term& one) { return one.verdict == verdict; });
  };
  if (!has(deciding) && has(Verdict::unknown)) return {};
  Term out{has(deciding) ? deciding : opposite(deciding), false, {}};
  for (const Term& one : terms) {
    if (one.verdict != out.verdict) continue;
    out.decided_by.insert(out.decided_by.end(), one.decided_by.begin(), one.decided_by.end());
  }
  return out;
}

class Walk {
 public:
  explicit Walk(const Judgement& judged) : judged_(judged) {}

  Term of(const ConditionNode& node) { return std::visit(Visitor{*this}, node.node); }

 private:
  struct Visitor {
    Walk& walk;
    Term operator()(const Compare&) const {
      const std::size_t place = walk.next_++;
      if (place >= walk.judged_.comparisons.size()) return {};
      const Comparison& made = walk.judged_.comparisons[place];
      return {made.verdict, made.left_out, {place}};
    }
    Term operator()(const And& all) const { return combined(walk.each(all.terms), Verdict::good); }
    Term operator()(const Or& any) const { return combined(walk.each(any.terms), Verdict::bad); }
    Term operator()(const Not& negated) const {
      Term term = walk.of(*negated.of);
      term.verdict = opposite(term.verdict);
      return term;
    }
  };

  std::vector<Term> each(const std::vector<ConditionPtr>& nodes) {
    std::vector<Term> out;
    for (const ConditionPtr& node : nodes) out.push_back(of(*node));
    return out;
  }

  const Judgement& judged_;
  std::size_t next_ = 0;
};

void collect(const ConditionNode& node, std::vector<std::string>& out) {
  struct Visitor {
    std::vector<std::string>& out;
    void operator()(const Compare& compare) const { out.push_back(compare.text); }
    void operator()(const And& all) const {
      for (const ConditionPtr& term : all.terms) collect(*term, out);
    }
    void operator()(const Or& any) const {
      for (const ConditionPtr& term : any.terms) collect(*term, out);
    }
    void operator()(const Not& negated) const { collect(*negated.of, out); }
  };
  std::visit(Visitor{out}, node.node);
}

}  // namespace

std::vector<std::size_t> deciding(const Condition& condition, const Judgement& judged) {
  return condition.empty() ? std::vector<std::size_t>() : Walk(judged).of(condition.root()).decided_by;
}

std::vector<std::string> comparisons_of(const Condition& condition) {
  std::vector<std::string> out;
  if (!condition.empty()) collect(condition.root(), out);
  return out;
}

}  // namespace rules
