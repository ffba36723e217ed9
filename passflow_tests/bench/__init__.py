"""The performance table: `python -m passflow_tests.bench` measures the parts that must be fast, and says which hold."""
