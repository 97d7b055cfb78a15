//! What a session remembers under names.

use std::fmt::Display;

use super::{Code, Error, Request, Session};
use crate::block::Scalar;
use crate::document::activities::SessionAttributeManagement;
use crate::document::{Element, Limits};

impl Session {
    /// Keeps a text in the session.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.set("town", "Oban").await?;
    /// session.set("visits", 7).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set(&self, attribute: &str, value: impl Display) -> Result<(), Error> {
        let text = Scalar::Text(value.to_string().into());
        self.manage("set", SessionAttributeManagement::set(attribute, text)).await.map(drop)
    }

    /// The value of an attribute as text; `None` where there is none of that name.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// match session.get("town").await? {
    ///     Some(town) => println!("{town}"),
    ///     None => println!("it remembers no town"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, attribute: &str) -> Result<Option<String>, Error> {
        match self.manage("get", SessionAttributeManagement::get(attribute)).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_of_no_attribute(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Adds to a number that is kept in the session, and gives the sum. One that is not there counts from zero.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// println!("visit {}", session.increment("visits", 1).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn increment(&self, attribute: &str, by: i64) -> Result<i64, Error> {
        let value = self.manage("increment", SessionAttributeManagement::increment(attribute, by)).await?;
        value.parse().map_err(|_| Error::Unexpected(format!("`{attribute}` is not a number: `{value}`")))
    }

    /// Forgets an attribute.
    ///
    /// # Errors
    ///
    /// Any of [`Error`], but those of rows.
    ///
    /// ```no_run
    /// # async fn example(session: rejoin::client::Session) -> Result<(), rejoin::client::Error> {
    /// session.remove("town").await?;
    /// assert_eq!(session.get("town").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove(&self, attribute: &str) -> Result<(), Error> {
        self.manage("remove", SessionAttributeManagement::remove(attribute)).await.map(drop)
    }

    /// Does something with one attribute, and gives its value as text.
    async fn manage(&self, step: &str, what: SessionAttributeManagement) -> Result<String, Error> {
        let mut request = Request::new();
        let value = request.add_named(step, what);
        let response = self.perform(&request).await?;
        let unreadable = |error| Error::Unexpected(format!("the attribute can't be read: {error}"));
        let attribute = Element::parse(response.text(&value)?.as_bytes(), &Limits::default()).map_err(unreadable)?;
        // XML stands in it as an element, all else as text.
        match attribute.elements().next() {
            Some(element) => Ok(element.to_xml()?),
            None => Ok(attribute.text().map_err(unreadable)?.into_owned()),
        }
    }
}

/// Whether the fault says that there is no such attribute.
fn is_of_no_attribute(error: &Error) -> bool {
    error.failure().is_some_and(|failure| failure.activity_code == Some(Code::AttributeNotFound))
}
