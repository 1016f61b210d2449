//! Histories of what clients asked and were told, and a checker that says whether any order of it explains them.
