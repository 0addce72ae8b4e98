"""A Django site, as careful of forged forms as Django is by default."""

ALLOWED_HOSTS = ["127.0.0.1"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
ROOT_URLCONF = "urls"
SECRET_KEY = "of this test alone"
