"""Transfer: trainings that begin with what another network has learned."""
