"""The management calls, a file for each noun."""
