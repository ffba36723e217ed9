"""Public test helpers: contract suites, fake vendors, a test certificate authority."""
