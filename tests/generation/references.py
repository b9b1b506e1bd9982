"""Searches written to be read: one document, lists, no cache, no graph."""

import numpy as np


def toy_reader(step, document):
    """What a ToyStep says after a history: log-probabilities [V], hidden state [D]."""
    factors, table, hidden = (
        value.numpy() for value in (step.factors, step.table, step.hidden)
    )

    def read(history):
        key = np.sum((np.array(history) + 1) * factors[: len(history)])
        key = (key + 31 * document + 7 * (len(history) - 1)) % len(table)
        logits = table[key]
        return logits - np.log(np.sum(np.exp(logits))), hidden[key]

    return read


def group_beam_search(
    read, prompt, *, beams, groups, penalty, length, eos_ids, length_penalty, early
):
    """Diverse beam search: (score, sequence) of all hypotheses, best first."""
    size, start = beams // groups, len(prompt)
    running = [[(0.0, list(prompt))] for _ in range(groups)]
    ended, done = [[] for _ in range(groups)], [False] * groups

    def normed(score, sequence):
        return score / (len(sequence) - start) ** length_penalty

    while not all(done) and len(running[0][0][1]) < length:
        taken = []
        for group in range(groups):
            if done[group]:
                running[group] = [(0.0, running[group][0][1] + [1])] * size
                taken += [1] * size
                continue
            candidates = [
                (score + log_prob - penalty * taken.count(token), [*history, token])
                for score, history in running[group]
                for token, log_prob in enumerate(read(history)[0])
            ]
            candidates.sort(key=lambda pair: -pair[0])
            candidates = candidates[: max(2, 1 + len(eos_ids)) * size]
            ended[group] += [
                (normed(score, history), history)
                for score, history in candidates[:size]
                if history[-1] in eos_ids
            ]
            ended[group] = sorted(ended[group], key=lambda pair: -pair[0])[:size]
            going_on = [pair for pair in candidates if pair[1][-1] not in eos_ids]
            running[group] = going_on[:size]
            taken += [history[-1] for _, history in running[group]]
            if len(ended[group]) == size:
                limit = length if early == "never" and length_penalty > 0 else None
                count = (limit or len(candidates[0][1])) - start
                best = candidates[0][0] / count**length_penalty
                done[group] = early is True or ended[group][-1][0] >= best
    for group in range(groups):
        if not done[group]:
            rest = [(normed(*pair), pair[1]) for pair in running[group]]
            ended[group] = sorted(ended[group] + rest, key=lambda pair: -pair[0])[:size]
    return sorted(sum(ended, []), key=lambda pair: -pair[0])


def contrastive_search(read, prompt, *, top_k, alpha, length, eos_ids):
    """Contrastive search: the sequence."""
    history = list(prompt)
    while len(history) < length and (
        len(history) == len(prompt) or history[-1] not in eos_ids
    ):
        log_probs, _ = read(history)
        before = [read(history[: end + 1])[1] for end in range(len(history))]
        likeliest = np.argsort(-log_probs, kind="stable")[:top_k]
        worth = []
        for token in likeliest:
            state = read([*history, token])[1]
            alike = max(
                state @ other / np.linalg.norm(state) / np.linalg.norm(other)
                for other in before
            )
            worth.append((1 - alpha) * np.exp(log_probs[token]) - alpha * alike)
        history.append(int(likeliest[np.argmax(worth)]))
    return history
