from hypothesis import HealthCheck, settings

# No deadline: the first example of a test may compile a kernel.
settings.register_profile("kernels", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kernels")
