#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include "rules/engine/commands.hpp"
#include "rules/incidents/records.hpp"

// What of the records is written to disk: every field and every enumerator, by its own name. A test compares these
// lists with the structs, so that a field that is added to a record and forgotten here is noticed.
namespace rules {

BOOST_DESCRIBE_ENUM(Verdict, good, bad, unknown)
BOOST_DESCRIBE_ENUM(Cause, no_data, stale, nan, no_traffic, too_few_samples, warming_up, deploying, counter_reset,
                    several_instances, source_error, parse_error, no_memory, config_error, no_baseline, self_degraded,
                    clock_jump, undecidable_bucket)
BOOST_DESCRIBE_ENUM(Severity, p0, p1, p2, p3)
BOOST_DESCRIBE_ENUM(RuleState, idle, pending, confirming, firing, recovering)
BOOST_DESCRIBE_ENUM(Standing, candidate, good, suspect, bad)
BOOST_DESCRIBE_ENUM(RollbackPolicy, automatic, ask, forbidden)
BOOST_DESCRIBE_ENUM(FuseUse, switched, mutated, by_hand, reset)
BOOST_DESCRIBE_ENUM(Outcome, recovered, not_recovered, wrong_revision, unverifiable, action_failed, no_target, fused,
                    superseded, aborted, observed, notified, cleared)
BOOST_DESCRIBE_ENUM(IncidentPhase, held, asking, acting, settling, verifying, finishing, telling, closed)
BOOST_DESCRIBE_ENUM(PlanSection, steps, on_success, on_failure, always)
BOOST_DESCRIBE_ENUM(LaterEnd, waits, holds, does_not_hold, unknown, reminded, not_looked_at)
BOOST_DESCRIBE_ENUM(StepStatus, started, succeeded, failed, timed_out, skipped, interrupted)
BOOST_DESCRIBE_ENUM(Stage, started, late, progress, ask, completed, failed, cleared, blind, seeing, fault)

BOOST_DESCRIBE_STRUCT(Explanation, (), (text, impact, runbook, status_page))
BOOST_DESCRIBE_STRUCT(Measured, (), (value, cause, detail, count, errors, approximate, window, newest, valid_until))
BOOST_DESCRIBE_STRUCT(Comparison, (), (text, verdict, value, threshold, left_out, unit))
BOOST_DESCRIBE_STRUCT(Segment, (), (from, to, verdict, samples))
BOOST_DESCRIBE_STRUCT(SpanRecord, (),
                      (rule, fingerprint, state, segments, confirmed_unknown, firing_since, saved_at, withheld_since))
BOOST_DESCRIBE_STRUCT(LedgerRecord, (),
                      (service, revision, standing, appeared, last_seen, deploy_began, deploy_ended, adopted, baked_ns,
                       policy, schema, backup, baselines, collected, switches_away, preexisting, schema_said,
                       schema_other, presumed, label))
BOOST_DESCRIBE_STRUCT(PendingMark, (), (at, revision, policy, schema, backup, began, ended, differs_told))
BOOST_DESCRIBE_STRUCT(ServiceRecord, (),
                      (service, running, previous, running_since, deploying_since, deployments, paused_until,
                       pause_reason, mutation_ended, rolled_back_here, acted_without_identity, mark, switching_to,
                       next_rung, unreadable_told, stopped_since, stop_told, unbegun, later, unsettled, usual,
                       called_off, called_off_at))
BOOST_DESCRIBE_STRUCT(FuseRecord, (), (service, at, use, from, incident, undone))
BOOST_DESCRIBE_STRUCT(JoinedRule, (),
                      (rule, severity, joined, evidence, bad_ns, for_ns, samples, bad_since, fired_when_decided))
BOOST_DESCRIBE_STRUCT(IncidentTimes, (),
                      (deployed, undeployed, decided, recovered, bad_ns, unmeasured_ns, counted_until, counts_requests,
                       failed, requests))
BOOST_DESCRIBE_STRUCT(LaterCheck, (), (action, after_ns, when, text, notify, due, revision, end, ended))
BOOST_DESCRIBE_STRUCT(TimelineEntry, (), (at, event, text))
BOOST_DESCRIBE_STRUCT(IncidentRecord, (),
                      (id, service, rules, severity, by_hand, force, reason, opened, closed, outcome, outcome_detail,
                       from, to, before, phase, waiting_for, ladder, rung, plan_fingerprint, section, step, attempt,
                       in_flight, past_no_return, switched, failed, pending_outcome, deadline, phase_since, asked,
                       asked_in_trouble, approved_by, approved_mark, approved_absent, settle_extensions, explanation,
                       timeline, times, later, changed, changed_earlier, decided, aborted, starts_anew, unseen_since,
                       acknowledged, left_behind, would_have_done, forward, backup, from_label, to_label))
BOOST_DESCRIBE_STRUCT(StepId, (), (incident, rung, section, step, attempt))
BOOST_DESCRIBE_STRUCT(StepRecord, (),
                      (id, kind, text, started, ended, status, exit_code, detail, output, output_dropped))
BOOST_DESCRIBE_STRUCT(StepContext, (),
                      (service, incident, rule, severity, from, to, schema_from, schema_to, backup, reason, from_label,
                       to_label))
BOOST_DESCRIBE_STRUCT(SaidBy, (), (stage, severity))
BOOST_DESCRIBE_STRUCT(Progress, (), (done, steps, percent, left))
BOOST_DESCRIBE_STRUCT(Tell, (),
                      (stage, notifier, is_news, context, outcome, title, text, explanation, opened, expected, progress,
                       evidence, at, said_by))

}  // namespace rules
