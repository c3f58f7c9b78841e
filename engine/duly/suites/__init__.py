"""Suites: the tests of a policy, run in virtual time, and what of the policy they cover."""
