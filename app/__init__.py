"""The application: web, stages, engine, command line; the only room with a database and a clock."""
