"""What papers and vendors have printed, with sources: published figures and nothing measured."""
