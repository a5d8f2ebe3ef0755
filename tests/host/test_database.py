import psycopg


def test_the_database_of_the_tests_is_a_real_one(pg_url):
    with psycopg.connect(pg_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
