"""A local AWS account that behaves: real tasks, real traffic, real measurements."""
