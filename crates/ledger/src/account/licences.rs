//! Licences of an account's users: given, taken, and what they allow.

use drawdown_units::Timestamp;

use super::{Account, Opening};
use crate::command::{Licence, Licensing};
use crate::effects::{Effects, Event, PoolLine, Refusal};
use crate::entitlements::{Draw, Entitlements, User, UserPlace};
use crate::plans::{Brings, LicenceName, Plans};
use crate::rules::Rules;

impl Account {
    pub(super) fn assign_licence(&mut self, licence: &Licence, now: Timestamp, rules: &Rules, effects: &mut Effects) {
        let entitlements = self.entitlements.get_or_insert_default();
        let assigned = entitlements.assign(licence, now, &rules.plans, &mut effects.undo);
        let Licence { user, licence, country } = licence.clone();
        if let Some(before) = assigned.before {
            let event = Event::LicenceRemoved { user: user.clone(), licence: licence.clone(), country: before };
            self.emit(now, false, event, effects);
        }
        self.emit(now, false, Event::LicenceAssigned { user, licence, country, since: assigned.since }, effects);
    }

    pub(super) fn remove_licence(
        &mut self,
        user: &str,
        licence: &LicenceName,
        now: Timestamp,
        rules: &Rules,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        let entitlements = self.entitlements.as_deref_mut().ok_or(Refusal::LicenceNotHeld)?;
        let country = entitlements.remove(user, licence, now, &rules.plans, &mut effects.undo);
        let country = country.ok_or(Refusal::LicenceNotHeld)?;
        let event = Event::LicenceRemoved { user: user.into(), licence: licence.clone(), country };
        self.emit(now, false, event, effects);
        Ok(())
    }

    /// Whether `user` might draw credits for a call that started at `started` (domain.md section 5, boundaries.md W1, W7).
    pub fn may_draw(&self, user: Option<UserPlace>, started: Timestamp, plans: &Plans) -> bool {
        if self.licensing == Licensing::None {
            return true;
        }
        let (Some(entitlements), Some(user)) = (self.entitlements(), user) else {
            return false;
        };
        let holds = |is: fn(&Brings) -> bool| entitlements.holds(user, plans, started, is);
        holds(|it| matches!(it, Brings::CreditsExempt))
            || (holds(|it| matches!(it, Brings::Credits))
                && holds(|it| matches!(it, Brings::CallingPlan(_) | Brings::Conferencing(_))))
    }

    /// Draws included minutes. Returns the thresholds crossed, whose events come after the debit.
    pub(super) fn draw_minutes(&mut self, draw: &Draw, effects: &mut Effects) -> Vec<u64> {
        let clock = self.head.clock;
        let entitlements = self.entitlements.as_deref_mut().expect("invariant: only a pool that is there is drawn");
        let pool = entitlements.name(draw.pool);
        let Draw { of, month, minutes, before, size, .. } = *draw;
        let after = before.saturating_add(u64::from(minutes));
        let crossed = entitlements.draw(draw, clock, &mut effects.undo).collect();
        effects.pool = Some(PoolLine { pool, of, month, minutes: i64::from(minutes), before, after, size });
        crossed
    }

    pub(super) fn emit_thresholds(&mut self, crossed: Vec<u64>, effects: &mut Effects) {
        let Some(PoolLine { pool, of, month, after: used, size, .. }) = effects.pool.clone() else { return };
        for percent in crossed {
            let event = Event::PoolThresholdReached { pool: pool.clone(), of, month, percent, used, size };
            self.emit(self.head.clock, false, event, effects);
        }
    }

    /// Licences and pools, if any user ever held a licence.
    pub fn entitlements(&self) -> Option<&Entitlements> {
        self.entitlements.as_deref()
    }

    /// Whether users need licences to draw credits.
    pub fn licensing(&self) -> Licensing {
        self.licensing
    }

    /// Takes over a user as saved; of one user the latest counts. [`Account::end_restore`] is to follow.
    pub fn restore_user(&mut self, user: User, rules: &Rules) {
        self.entitlements.get_or_insert_default().restore_user(user, &rules.plans);
    }

    /// All users were taken over.
    pub fn end_restore(&mut self, rules: &Rules) {
        if let Some(entitlements) = self.entitlements.as_deref_mut() {
            entitlements.count_holders(&rules.plans);
        }
    }

    /// Follows its owner: takes over a later saved state, keeping the users it knows. `None`, and nothing of it is taken
    /// over, if what was saved breaks an invariant.
    pub fn follow(&mut self, mut saved: Opening, rules: &Rules) -> Option<()> {
        let pools = std::mem::take(&mut saved.pools);
        let mut later = Account::restore(saved, rules)?;
        later.entitlements = self.entitlements.take();
        if !pools.is_empty() {
            later.entitlements.get_or_insert_default().refresh_pools(pools);
        }
        *self = later;
        Some(())
    }

    /// Follows its owner: takes over a user's later saved state. Whether [`Account::recount`] is to follow, at the latest
    /// before pools are asked for.
    pub fn follow_user(&mut self, user: User, rules: &Rules) -> bool {
        self.entitlements.get_or_insert_default().refresh_user(user, &rules.plans)
    }

    /// Counts the holders of licences anew.
    pub fn recount(&mut self, rules: &Rules) {
        if let Some(entitlements) = self.entitlements.as_deref_mut() {
            entitlements.forget_holders();
            entitlements.count_holders(&rules.plans);
        }
    }

    /// A copy of everything but licences and pools: what [`Account::go_back`] needs.
    #[must_use]
    pub fn checkpoint(&mut self) -> Account {
        let entitlements = self.entitlements.take();
        let checkpoint = self.clone();
        self.entitlements = entitlements;
        checkpoint
    }

    /// Puts everything but licences and pools back as it was.
    pub fn go_back(&mut self, checkpoint: Account) {
        let entitlements = self.entitlements.take();
        *self = checkpoint;
        self.entitlements = entitlements;
    }

    /// Undoes the latest change of licences or pools.
    pub fn undo_entitlement(&mut self, undo: crate::entitlements::Undo) {
        if let Some(entitlements) = self.entitlements.as_deref_mut() {
            entitlements.undo(undo);
            if entitlements.is_empty() {
                self.entitlements = None;
            }
        }
    }
}
