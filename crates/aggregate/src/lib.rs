//! The KPL aggregated record format, both ways.
