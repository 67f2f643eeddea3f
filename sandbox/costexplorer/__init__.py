"""Cost Explorer: what the sandbox's account would have cost, from resource hours and prices."""
