"""Secrets Manager: secrets, their versions, and rotation that changes values."""
