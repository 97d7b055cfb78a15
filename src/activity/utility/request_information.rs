use async_trait::async_trait;
use bytestring::ByteString;
use quick_xml::escape::escape;

use crate::activity::{
    Activity, ActivityContext, ActivityError, Effects, OutputPort, RequestInformation as Known, Setup,
};
use crate::block::Block;
use crate::document::activities::{self, ActivityElement};
use crate::document::{DocumentError, Fields};

/// `requestInformation`: who asks, under which id, and for what.
///
/// Each output is one block of text: the principal (empty for who did not say who he is), the request's id, and the names of
/// its activities as an element.
///
/// ```xml
/// <requestInformation name="who"><principal name="user"/><requestId name="id"/><document name="asked"/></requestInformation>
/// ```
#[derive(Debug)]
pub struct RequestInformation {
    principal: OutputPort,
    request_id: OutputPort,
    document: OutputPort,
}

#[async_trait]
impl Activity for RequestInformation {
    const ELEMENT: &'static str = activities::RequestInformation::ELEMENT;
    const EFFECTS: Effects = Effects::Session;

    fn parse(fields: &mut Fields<'_>, setup: &mut Setup<'_>) -> Result<Self, DocumentError> {
        let read = activities::RequestInformation::read(fields)?;
        Ok(Self {
            principal: setup.writes(&read.principal, None),
            request_id: setup.writes(&read.request_id, None),
            document: setup.writes(&read.document, Some("application/xml")),
        })
    }

    async fn run(self, mut context: ActivityContext) -> Result<(), ActivityError> {
        let known = context.request();
        let texts: [(OutputPort, ByteString); 3] = [
            (self.principal, known.principal.id().unwrap_or_default().into()),
            (self.request_id, known.request_id.to_string().into()),
            (self.document, activities(known).into()),
        ];
        for (port, text) in texts {
            let output = context.output(port);
            match output.send(Block::Text(text)).await {
                // Whoever reads one of them may stop without the others.
                Ok(()) | Err(ActivityError::ReaderGone) => output.finish().await,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// `<activities count="1"><activity name="find" type="sqlQueryStatement"/></activities>`
fn activities(known: &Known) -> String {
    let mut list = format!("<activities count=\"{}\">", known.activities.len());
    for activity in &known.activities {
        list.push_str("<activity name=\"");
        list.push_str(&escape(&*activity.name));
        list.push_str("\" type=\"");
        list.push_str(&escape(&*activity.activity));
        list.push_str("\"/>");
    }
    list.push_str("</activities>");
    list
}
