"""Parquet parts, the resume index, and reading them back."""
