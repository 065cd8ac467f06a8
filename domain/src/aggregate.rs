//! What every aggregate has in common: decide purely, then apply.

/// Makes `$name` an aggregate of its log: `decide(&self, command) -> Result<Vec<event>, error>` holds its rules,
/// `on(&mut self, event)` its memory, `reserve(&self, event)` its reservations, and the event's
/// `is_change` says what a person sees of it. After an event of the kind `$last`, where there is one, the thing is gone;
/// `$upcasters`, where there are any, lift events of earlier releases.
macro_rules! aggregate {
    ($name:ident, $type:literal, $log:ident, $command:ident, $event:ident as $kind:ident $(until $last:ident)? $(lifted by $upcasters:ident)?, $error:ident
     $(, $addresses:ident $(, $twiml:ident)?)?) => {
        impl cqrs_es::Aggregate for $name {
            const TYPE: &'static str = $type;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: $command,
                (): &(),
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), $error> {
                for event in self.decide(command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: $event) {
                self.on(event);
            }
        }

        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                crate::EventKind::name($kind::from(self)).to_owned()
            }

            fn event_version(&self) -> String {
                <$name as crate::Stream>::schema_version(self).to_string()
            }
        }

        impl crate::EventKind for $kind {
            const ALL: &'static [$kind] = <$kind as strum::VariantArray>::VARIANTS;
        }

        impl crate::Stream for $name {
            type Kind = $kind;

            const LOG: crate::Log = crate::Log::$log;
            $(const LAST: Option<$kind> = Some($kind::$last);)?
            $(const UPCASTERS: &'static [crate::upcast::Upcaster<$kind>] = $upcasters;)?

            fn schema_version(event: &$event) -> i32 {
                crate::upcast::version(Self::UPCASTERS, $kind::from(event))
            }

            fn claims(&self, event: &$event) -> Vec<crate::Claim> {
                self.reserve(event)
            }

            fn is_change(event: &$event) -> bool {
                event.is_change()
            }

            $(
                fn addresses(command: &mut $command) -> Vec<&mut crate::webhook_url::WebhookUrl> {
                    command.$addresses()
                }

                $(fn twiml(command: &mut $command) -> Option<&mut String> {
                    command.$twiml()
                })?
            )?
        }
    };
}

pub(crate) use aggregate;
