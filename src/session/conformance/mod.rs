//! The behaviours that every session manager has, as tests that run against any of them.
//!
//! A manager passes through them by one line, [`session_manager_conforms!`] with a function that makes one. The numbers in the
//! comments are those of the list of session behaviours that the project keeps.

mod answers;
mod attributes;
mod checkpoints;
mod ends;
mod ids;
mod joins;
mod lifetimes;
mod locking;
mod operators;
mod restarts;
mod stage;
mod streams;

pub(crate) use answers::*;
pub(crate) use attributes::*;
pub(crate) use checkpoints::*;
pub(crate) use ends::*;
pub(crate) use ids::*;
pub(crate) use joins::*;
pub(crate) use lifetimes::*;
pub(crate) use locking::*;
pub(crate) use operators::*;
pub(crate) use restarts::*;
pub(crate) use stage::{Make, Setup, Stage, integer};
pub(crate) use streams::*;

/// Runs the behaviours of managers that keep sessions beyond the process against those that a [`Make`] function makes, beside
/// those of all.
macro_rules! durable_session_manager_conforms {
    ($make:expr, $histories:expr) => {
        $crate::session::conformance::session_manager_conforms! { $make;
            what_was_released_is_there_after_a_restart
            a_request_that_ran_leaves_nothing
            a_checkpoint_outlives_the_process
            lifetimes_go_on_over_a_restart
            a_step_of_the_wall_clock_over_a_restart_changes_nothing
            ends_are_told_after_a_restart
            rotated_ids_hold_and_are_noticed_after_a_restart
            fences_rise_over_a_restart
            what_is_alive_ends_its_session_with_the_process
            what_a_client_was_told_of_ends_its_session_with_the_process
            stored_sessions_are_listed_described_and_ended
            stored_sessions_count
            stored_sessions_end_in_time
            joins_of_a_stored_session_come_in_their_order
            draining_keeps_sessions_and_lets_nobody_in
        }
        $crate::session::conformance::session_manager_conforms!($make);

        #[test]
        fn random_histories_with_restarts_agree_with_the_reference() {
            $crate::session::model::random_histories_agree($make, Some($histories));
        }
    };
}

/// Runs every behaviour against the managers that a [`Make`] function makes, and those that are named.
macro_rules! session_manager_conforms {
    ($make:expr $(, $own:ident)*) => {
        $crate::session::conformance::session_manager_conforms! { $make;
            // joins
            an_implicit_session_ends_with_its_request
            implicit_sessions_do_not_see_each_other
            a_new_session_says_what_it_was_granted
            what_one_request_sets_the_next_one_sees
            an_unknown_id_creates_nothing
            join_or_create_says_which
            terminating_ends_the_session_and_succeeds_again
            a_request_that_is_refused_does_not_end_the_session
            an_empty_request_keeps_a_session_alive
            sessions_can_be_switched_off
            // locking
            two_hundred_parallel_increments_are_two_hundred
            waiters_come_in_the_order_in_which_they_came
            without_waiting_a_held_session_is_in_use
            a_wait_ends_with_who_holds_the_session_since_when
            a_wait_is_cut_down_to_the_maximum
            no_more_requests_wait_than_may
            a_waiter_whose_client_left_is_skipped
            a_granted_waiter_whose_client_left_hands_on
            a_panic_releases_the_session
            a_dropped_request_changes_nothing_and_releases
            a_reader_does_not_wait_and_sees_what_was_released
            a_holder_past_its_limit_is_told_to_stop
            a_session_ends_with_a_holder_past_its_limit_where_that_is_configured
            a_holder_that_does_not_stop_loses_the_session
            a_lost_holder_frees_a_waiter_without_a_new_join
            // lifetimes
            idle_time_runs_only_while_nobody_is_joined
            a_reader_keeps_a_session_alive
            an_expired_session_is_refused_though_nobody_swept
            a_busy_session_ends_when_its_lifetime_is_over
            a_lifetime_that_is_over_during_a_wait_ends_the_session
            a_wish_is_cut_down_and_reported
            without_an_idle_end_the_lifetime_still_holds
            a_step_of_the_wall_clock_changes_nothing
            maintenance_frees_what_is_over
            // ends
            the_owner_is_told_why_and_when_a_session_ended
            everybody_else_is_told_nothing
            an_end_is_remembered_for_its_time
            a_slow_request_does_not_revive_a_session
            those_who_wait_are_told_of_the_end
            live_attributes_are_closed_latest_first
            a_replaced_or_refused_live_attribute_is_closed
            // attributes
            a_failed_request_changes_nothing
            static_attributes_are_in_every_session
            a_reader_changes_nothing
            nothing_changes_after_the_release
            limits_refuse_a_change_and_leave_the_session_usable
            // checkpoints
            a_checkpoint_is_the_sessions_at_once
            a_release_comes_after_the_checkpoints_of_its_request
            a_request_without_its_session_makes_no_checkpoint
            a_checkpoint_keeps_to_the_rules_of_attributes
            in_an_implicit_session_a_checkpoint_is_a_change
            a_checkpoint_is_reached_by_the_new_id_and_the_old
            activities_make_checkpoints_side_by_side
            a_checkpoint_does_not_lengthen_what_a_session_has
            // answers
            a_repeatable_request_is_answered_once
            while_a_repeatable_request_runs_nobody_else_gets_it
            a_failure_is_remembered_and_a_refusal_is_not
            what_began_and_broke_off_is_not_run_again
            numbers_follow_each_other
            a_number_is_remembered_beside_all_keys
            answers_go_with_their_session
            an_answer_without_a_session_is_kept_for_its_time
            a_request_that_lost_its_session_is_remembered_apart
            of_those_who_only_read_the_latest_answers_are_kept_too
            an_old_id_that_ends_its_session_is_told_nothing
            no_answer_is_told_to_somebody_else
            // ids
            an_invented_id_is_not_adopted
            a_rotated_id_holds_until_the_new_one_is_used
            a_request_that_fails_does_not_take_the_id_away
            without_random_numbers_there_is_no_session
            // streams
            the_owner_reaches_the_streams_of_a_session_whoever_holds_it
            streams_end_with_their_session_and_not_before
            an_implicit_session_is_found_while_its_request_runs_if_that_is_wanted
            an_owner_stops_a_request_and_keeps_the_session
            a_session_tells_of_its_last_request_that_went_on_without_a_client
            // operators
            there_are_no_more_sessions_than_may_be
            sessions_that_are_over_make_room
            operators_list_sessions_by_pages_and_owners
            a_session_is_described_without_being_touched
            sessions_are_found_by_what_they_do_and_are_called
            an_operator_ends_a_session_that_is_held
            a_session_that_was_ended_is_forced_when_its_holder_stays
            draining_does_not_wait_for_ever
            listeners_hear_everything_in_order
            a_listener_that_panics_harms_nobody
            $($own)*
        }
    };
    ($make:expr; $($behaviour:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                $crate::session::conformance::$behaviour($make).await;
            }
        )*
    };
}

pub(crate) use {durable_session_manager_conforms, session_manager_conforms};
