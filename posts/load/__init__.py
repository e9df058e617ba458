"""A synthetic network of any size, with the skew of real ones, written through COPY."""
