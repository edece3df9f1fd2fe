//! A checked profile, ready to be used: fields by reference, rules, times and numbers.

use super::FieldRef;
use crate::cdr::CallType;
use crate::number::NumberPlan;
use crate::source::duration::Unit;
use crate::source::time_layout::Times;

/// Where the parts of a call are, and how they are read.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// Joined by `/` where there are several.
    pub(crate) id: Vec<FieldRef>,
    pub(crate) org: Option<FieldRef>,
    pub(crate) org_constant: Option<String>,
    pub(crate) call_types: CallTypes,
    pub(crate) caller: Option<FieldRef>,
    pub(crate) callee: FieldRef,
    /// Of each of these the first that holds a time.
    pub(crate) start: Vec<FieldRef>,
    pub(crate) answer: Vec<FieldRef>,
    pub(crate) end: Vec<FieldRef>,
    pub(crate) received: Option<FieldRef>,
    pub(crate) duration: (FieldRef, Unit),
    /// Looked at where the duration is 0 or absent.
    pub(crate) finer: Option<(FieldRef, Unit)>,
    /// Without one, a call is answered if it has an answer time (where the source has such times).
    pub(crate) answered: Option<Rule>,
    pub(crate) not_a_call: Vec<Rule>,
    pub(crate) revision: Option<FieldRef>,
    pub(crate) void: Option<FieldRef>,
    pub(crate) region_fields: Vec<FieldRef>,
    pub(crate) texts: Texts,
    pub(crate) times: Times,
    pub(crate) plan: NumberPlan,
    pub(crate) is_percent_encoded: bool,
}

/// What kind of call a record is: the first rule that matches, else the field, else the default.
#[derive(Debug, Default)]
pub(crate) struct CallTypes {
    pub(crate) rules: Vec<(Rule, CallType, String)>,
    pub(crate) field: Option<FieldRef>,
    pub(crate) default: Option<(CallType, String)>,
}

/// A condition on one field. An absent field is the empty text.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) field: FieldRef,
    pub(crate) test: Test,
}

#[derive(Debug)]
pub(crate) enum Test {
    Is(Vec<String>),
    IsNot(Vec<String>),
    Begins(Vec<String>),
}

impl Rule {
    pub(crate) fn matches(&self, value: Option<&str>) -> bool {
        let value = value.unwrap_or_default();
        match &self.test {
            Test::Is(values) => values.iter().any(|wanted| wanted == value),
            Test::IsNot(values) => values.iter().all(|unwanted| unwanted != value),
            Test::Begins(beginnings) => beginnings.iter().any(|beginning| value.starts_with(beginning.as_str())),
        }
    }
}

/// Texts that go through to the debit.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) call_id: Option<FieldRef>,
    pub(crate) user_id: Option<FieldRef>,
    pub(crate) user_principal_name: Option<FieldRef>,
    pub(crate) user_display_name: Option<FieldRef>,
    pub(crate) conference_id: Option<FieldRef>,
    pub(crate) inventory_type: Option<FieldRef>,
    pub(crate) usage_country_code: Option<FieldRef>,
    pub(crate) tenant_country_code: Option<FieldRef>,
    pub(crate) destination_context: Option<FieldRef>,
    pub(crate) destination_name: Option<FieldRef>,
    pub(crate) license_capability: Option<FieldRef>,
    pub(crate) operator: Option<FieldRef>,
    pub(crate) call_duration_source: Option<FieldRef>,
    pub(crate) charge: Option<FieldRef>,
    pub(crate) connection_charge: Option<FieldRef>,
    pub(crate) currency: Option<FieldRef>,
}
