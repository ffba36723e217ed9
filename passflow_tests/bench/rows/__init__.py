"""One file per row of the performance table (or per few rows that one measurement gives)."""
