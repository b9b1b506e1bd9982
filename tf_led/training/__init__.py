"""Fine-tuning: steps, schedules, metrics, callbacks and distribution."""
