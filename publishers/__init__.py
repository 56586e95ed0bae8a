"""Publishers: into the stores."""
