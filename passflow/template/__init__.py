"""Templates: from a member to what a wallet shows."""
