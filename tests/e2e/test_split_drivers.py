#!/usr/bin/env python3
"""Watcher and runner as two processes, the watcher as a user without rights: tests of each driver and of what people do, run so.

split_rollbackd.py is in rollbackd's place; ROLLBACKD=.../split_rollbackd.py runs any other test so.
"""

import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
os.environ["ROLLBACKD_REAL"] = os.environ.get("ROLLBACKD") or str(HERE.parents[1] / "build" / "release" / "watcher" / "rollbackd")
os.environ["ROLLBACKD"] = str(HERE / "split_rollbackd.py")

import machine  # noqa: E402

TESTS = {
    "test_cells.Git": ("a_bad_release_is_rolled_back", "a_switch_that_hangs_is_ended"),
    "test_cells.Command": ("a_bad_release_is_rolled_back", "a_deployment_in_the_middle_of_a_switch_stays",
                           "a_watcher_killed_in_the_middle_switches_once"),
    "test_compose.Compose": ("a_bad_deploy_is_rolled_back_by_compose_2", "a_watcher_killed_in_the_middle_switches_once",
                             "what_somebody_stops_while_a_switch_waits_is_not_started_against_him"),
    "test_pm2.Pm2": ("a_bad_release_is_left_and_no_secret_gets_out", "a_watcher_killed_in_the_middle_switches_once"),
    "test_http.Http": ("a_bad_release_is_rolled_back_by_one_run", "an_abort_says_what_goes_on", "a_watcher_killed_in_the_middle_asks_for_one_run"),
    "test_kubernetes.Kubernetes": ("a_bad_release_is_rolled_back_by_one_change", "a_rollout_that_fails_is_put_back_and_told"),
    "test_several_drivers.GitAndHttp": ("the_first_that_is_ready_does_it", "one_that_is_not_ready_is_told_and_passed_over"),
    "test_aborting.Aborting": ("an_abort_leaves_nothing_stopped", "an_abort_that_kills_brings_back_what_ran"),
    "test_by_hand.ByHand": ("rollback_with_a_watcher", "rollback_without_a_watcher", "names_as_people_have_them"),
}


def load_tests(loader, _standard, _pattern):
    suite = unittest.TestSuite()
    for case, names in TESTS.items():
        suite.addTests(loader.loadTestsFromNames([f"{case}.test_{name}" for name in names]))
    return suite


if __name__ == "__main__":
    # One after the other, or those of one case.
    if len(sys.argv) > 1:
        TESTS = {case: names for case, names in TESTS.items() if case in sys.argv[1:]}
        sys.argv[1:] = []
    machine.main()
