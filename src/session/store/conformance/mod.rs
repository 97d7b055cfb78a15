//! The behaviours that every session store has, as tests that run against any of them.
//!
//! A store passes through them by one line, [`session_store_conforms!`] with a function that makes a [`Place`].

mod answers;
mod attributes;
mod ends;
mod histories;
mod reading;
pub(crate) mod sample;
mod writes;

pub(crate) use answers::*;
pub(crate) use attributes::*;
pub(crate) use ends::*;
pub(crate) use histories::random_batches_agree_with_the_reference;
pub(crate) use reading::*;
pub(crate) use writes::*;

use super::SessionStore;

/// Where a store is: it is opened there, dropped, and opened again.
pub(crate) trait Place {
    /// Opens it. The one that was opened before is not in use any more.
    fn open(&self) -> Box<dyn SessionStore>;
}

/// Makes an empty place.
pub(crate) type MakePlace = fn() -> Box<dyn Place>;

/// Runs every behaviour against the stores of the places that a [`MakePlace`] function makes.
macro_rules! session_store_conforms {
    ($make:expr) => {
        $crate::session::store::conformance::session_store_conforms! { $make;
            // writes
            what_is_saved_is_loaded_as_it_was
            writes_of_a_batch_take_effect_in_their_order
            a_save_of_another_version_is_stale_and_changes_nothing
            a_save_under_a_lower_fence_is_stale
            a_session_is_new_only_once
            a_stale_write_does_not_touch_the_others_of_its_batch
            an_empty_batch_is_nothing
            // attributes
            only_the_attributes_that_are_named_change
            a_value_is_replaced_by_one_of_any_size_and_kind
            pieces_are_appended_behind_those_that_are_there
            an_append_to_something_else_is_stale
            changes_of_one_attribute_follow_each_other
            // ends
            an_ended_session_is_gone_and_its_end_remembered
            an_end_is_final
            a_session_can_end_with_a_save
            a_stale_save_ends_nothing
            a_session_that_was_never_saved_can_end
            ends_are_forgotten_when_their_time_has_come
            of_too_many_ends_the_oldest_are_forgotten
            // answers
            a_session_keeps_its_latest_answers
            answers_apart_from_a_save_are_counted_as_well
            answers_go_with_their_session_but_for_that_of_the_end
            answers_of_a_lost_session_stay_as_long_as_its_end
            an_answer_without_a_session_is_kept_until_its_time
            an_answer_replaces_the_one_of_its_name
            an_answer_that_goes_with_a_session_needs_it
            // reading
            a_session_is_found_by_each_of_its_keys
            sessions_are_listed_by_pages
            sessions_are_due_the_earliest_first
            a_start_is_told_what_it_has_to_know
            the_latest_moment_outlives_what_happened_then
            everything_is_there_after_reopening
        }
    };
    ($make:expr; $($behaviour:ident)*) => {
        $(
            #[test]
            fn $behaviour() {
                $crate::session::store::conformance::$behaviour($make);
            }
        )*

        #[test]
        fn random_batches_agree_with_the_reference() {
            $crate::session::store::conformance::random_batches_agree_with_the_reference($make);
        }
    };
}

pub(crate) use session_store_conforms;
