import torch

from metaglot.core.learners.conjugate_gradients import conjugate_gradients


def test_it_solves_the_system_of_every_task_in_as_many_steps_as_there_are_unknowns():
    random = torch.Generator().manual_seed(0)
    roots = torch.randn(3, 5, 5, dtype=torch.double, generator=random)
    matrices = roots @ roots.mT + torch.eye(5, dtype=torch.double)
    target = torch.randn(3, 5, dtype=torch.double, generator=random)
    target[1] = 0  # a task that is solved at the start

    def split(vector):
        return [vector[:, :2], vector[:, 2:]]

    def product(parts):
        return split((matrices @ torch.cat(parts, 1).unsqueeze(-1)).squeeze(-1))

    def dot(first, second):
        return (torch.cat(first, 1) * torch.cat(second, 1)).sum(1)

    solution = torch.cat(conjugate_gradients(product, dot, split(target), steps=5), 1)
    torch.testing.assert_close(solution, torch.linalg.solve(matrices, target))
    fewer = torch.cat(conjugate_gradients(product, dot, split(target), steps=2), 1)
    assert (fewer - solution).norm() > 1e-3
