"""Where the guide's two views are."""

import views
from django.urls import path

urlpatterns = [path("api/auth/hawcx/callback", views.auth_callback), path("api/me", views.get_current_user)]
