"""The load balancer's data plane: one process, one port per load balancer."""
