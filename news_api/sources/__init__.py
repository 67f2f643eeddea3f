"""Where articles come from: one module per kind of source, one shape for all of them."""
