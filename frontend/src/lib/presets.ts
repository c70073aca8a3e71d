/** The training presets that the platform knows, as people choose among them; a spec holds them to those of pkg/registry. */
export const presets = [
  { value: 'safe', description: 'Small adapters, old data replayed, held close to the model before: learns without forgetting.' },
  { value: 'knowledge', description: 'Like safe, and guards the weights that mattered before (EWC): for new facts on top of old ones.' },
  { value: 'skill', description: 'Little replay, held loosely: for a new task or format, where the old answers may shift a little.' },
  { value: 'no_old_data', description: 'For when no old rows were kept: the model repeats what it knows in its own words.' },
  { value: 'long_stream', description: 'Changes only directions that earlier updates left unused: for many updates in a row.' },
  { value: 'large', description: 'Learns from its own rewritten answers (self-distillation), in small steps: for large models.' },
  { value: 'replay', description: 'Old rows with the plain loss, nothing else. For comparison.' },
  { value: 'lora', description: 'Plain LoRA on every layer, nothing held. For comparison; it forgets.' },
  { value: 'naive', description: 'Learns the new data only, with the adapters of safe. For comparison; it forgets.' },
]
