"""Amazon ECS with real processes, and deployments that walk ECS's lifecycle stages."""
