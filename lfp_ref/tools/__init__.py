"""Tools around the reference: command line, benchmarks, vectors for ports, figures."""
