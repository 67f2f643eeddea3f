"""Application Auto Scaling for ECS services: policies, schedules, and what came of them."""
