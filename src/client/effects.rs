//! Which requests have to have a key: those that may change something, wherever.

use crate::document::activities::{ACTIVITIES, Changes};
use crate::document::{SessionElement, SessionMode, Step, WrittenActivity};

/// Activities that change something but for some of their children.
const ASKING: [(&str, &[&str]); 2] =
    [("sessionAttributeManagement", &["getAttribute", "listAttributes"]), ("transactionManagement", &["state"])];

/// Whether the request would leave something behind a second time, and so is sent with a key.
pub(super) fn changes_something(session: Option<&SessionElement>, steps: &[Step]) -> bool {
    session.is_some_and(|session| changes_session(session, !steps.is_empty()))
        || steps.iter().any(step_changes_something)
}

/// Whether joining makes, ends or renames a session. One that ends without activities may be ended again.
fn changes_session(session: &SessionElement, has_activities: bool) -> bool {
    match session.mode {
        Some(SessionMode::Join) => session.rotate,
        Some(SessionMode::Terminate) => has_activities,
        Some(SessionMode::Create | SessionMode::JoinOrCreate) => true,
        None => session.id.is_none() || session.rotate,
    }
}

fn step_changes_something(step: &Step) -> bool {
    match step {
        Step::Activity(activity) => !only_reads(activity),
        Step::Sequence(steps) | Step::Flow(steps) => steps.iter().any(step_changes_something),
    }
}

fn only_reads(activity: &WrittenActivity) -> bool {
    let name = activity.element.local_name();
    // One that is not known here may change anything.
    if ACTIVITIES.iter().any(|shape| shape.element == name && shape.changes == Changes::Nothing) {
        return true;
    }
    let asking = ASKING.iter().find(|(known, _)| *known == name);
    asking.is_some_and(|(_, children)| activity.element.elements().any(|child| children.contains(&child.local_name())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{PerformDocument, TYPES_NAMESPACE};

    fn changes(content: &str) -> bool {
        let document = format!("<perform xmlns='{TYPES_NAMESPACE}'>{content}</perform>");
        let document = PerformDocument::parse(document.as_bytes()).unwrap();
        changes_something(document.session.as_ref(), &document.steps)
    }

    #[test]
    fn what_reads_needs_no_key() {
        for content in [
            "",
            "<session id='x'/>",
            "<session id='x' access='read'/>",
            "<session id='x' mode='terminate'/>",
            "<sqlQueryStatement name='q'/><sqlResultsToCSV name='f'/>",
            "<session id='x'/><sequence><flow><echo name='e'/></flow></sequence>",
            "<session id='x'/><sessionAttributeManagement name='a'><getAttribute name='x'/></sessionAttributeManagement>",
            "<session id='x'/><transactionManagement name='a'><state/></transactionManagement>",
        ] {
            assert!(!changes(content), "{content}");
        }
    }

    #[test]
    fn what_may_change_something_needs_one() {
        for content in [
            "<session/>",
            "<session mode='joinOrCreate' id='x'/>",
            "<session id='x' rotate='true'/>",
            "<session id='x' mode='terminate'/><echo name='e'/>",
            "<sqlUpdateStatement name='u'/>",
            "<sequence><flow><sqlUpdateStatement name='u'/></flow></sequence>",
            "<session id='x'/><fetchCursor name='f'/>",
            "<session id='x'/><sessionAttributeManagement name='a'><incrementAttribute name='x'/></sessionAttributeManagement>",
            "<session id='x'/><transactionManagement name='a'><commit/></transactionManagement>",
            "<ownActivity name='o'/>",
        ] {
            assert!(changes(content), "{content}");
        }
    }
}
