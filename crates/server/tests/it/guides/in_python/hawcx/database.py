"""The application's database, which the guide takes for granted: `app.db`."""

from sqlalchemy import Boolean, DateTime, Integer, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    hawcx_id: Mapped[str] = mapped_column(String, unique=True)
    email: Mapped[str] = mapped_column(String)
    email_verified: Mapped[bool] = mapped_column(Boolean)
    created_at = mapped_column(DateTime)
    last_login = mapped_column(DateTime)

    def to_dict(self):
        return {"id": self.id, "hawcx_id": self.hawcx_id, "email": self.email}


class Database:
    def __init__(self, url):
        engine = create_engine(url)
        Base.metadata.create_all(engine)
        self.session = scoped_session(sessionmaker(engine))


db = Database("sqlite:///users.sqlite")
