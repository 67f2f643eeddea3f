"""Compute Optimizer and Cost Optimization Hub: advice from measured use and list prices."""
