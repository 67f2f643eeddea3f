"""ECR's and Inspector's view of the images: scans, findings, coverage."""
