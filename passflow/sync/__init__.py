"""The heart: mapping, fingerprint, diff, guard, plan, apply, converge."""
