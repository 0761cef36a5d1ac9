"""Real promoters of the Eukaryotic Promoter Database (EPD): as the authors of DiscDiff published them, and cut anew."""
