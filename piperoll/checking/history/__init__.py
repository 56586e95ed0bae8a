"""History: a submission compared with what its body published before."""
