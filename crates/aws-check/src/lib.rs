//! Says who you are on AWS, where from, and what you can reach.
